import { SegmentedControl, Text } from '@mantine/core';
import { useMemo, useState } from 'react';
import { Loading } from '../../ui/states.tsx';
import { ErrorState } from '../../ui/states.tsx';
import { cellText, isPlotly, type JsonTable, jsonLines, parseJson, pictureIn, prettyJson, tableOf } from './json.ts';
import { RowsTable } from './rows-table.tsx';
import { Lines, TextView } from './text-view.tsx';
import { type ArtifactRef, artifactUrl, useBytes } from './use-bytes.ts';

/** More JSON is shown as it is written. */
const MOST_JSON = 4_000_000;
const PAGE = 100;
const MOST_COLUMNS = 200;

/** JSON or JSON Lines: as a table when it is one, and as text. */
export function JsonView({ file, lines }: { file: ArtifactRef; lines: boolean }) {
  const content = useBytes(file, MOST_JSON);
  const read = useMemo(() => {
    if (content.data === undefined) return undefined;
    const { bytes, total } = content.data;
    const whole = bytes.length >= total;
    const text = new TextDecoder().decode(bytes, { stream: !whole });
    if (lines) {
      const values = jsonLines(text, whole);
      return { table: values === undefined ? undefined : tableOf(values), text: undefined, plotly: false, whole };
    }
    if (!whole) return { table: undefined, text: undefined, plotly: false, whole };
    try {
      const value = parseJson(text);
      return { table: tableOf(value), text: prettyJson(text), plotly: isPlotly(value), whole };
    } catch {
      return { table: undefined, text: undefined, plotly: false, whole };
    }
  }, [content.data, lines]);
  const [view, setView] = useState<'table' | 'text'>('table');
  if (content.isError) return <ErrorState error={content.error} retry={content.refetch} />;
  if (read === undefined) return <Loading />;
  const asText = read.text === undefined ? <TextView file={file} /> : <Lines text={read.text} label={file.path} />;
  if (read.table === undefined)
    return (
      <>
        {read.plotly && (
          <Text size="sm" c="dimmed" mb="xs">
            A figure of Plotly. Its drawing library is not part of Binnacle: log the figure as .html, with the library in it, to see it drawn here.
          </Text>
        )}
        {asText}
      </>
    );
  return (
    <>
      <SegmentedControl
        mb="xs"
        aria-label="Show as"
        value={view}
        onChange={(next) => setView(next as typeof view)}
        data={[
          { value: 'table', label: 'Table' },
          { value: 'text', label: 'Text' },
        ]}
      />
      {view === 'text' ? asText : <TablePages table={read.table} file={file} cut={!read.whole} />}
    </>
  );
}

function TablePages({ table, file, cut }: { table: JsonTable; file: ArtifactRef; cut: boolean }) {
  const [offset, setOffset] = useState(0);
  const columns = table.columns.slice(0, MOST_COLUMNS);
  const rows = table.rows.slice(offset, offset + PAGE).map((row) =>
    columns.map((_, c) => {
      const value = row[c];
      const picture = pictureIn(value);
      if (picture !== undefined)
        return (
          <img
            key={c}
            src={artifactUrl({ ...file, path: picture })}
            alt={picture}
            loading="lazy"
            style={{ maxHeight: 96, maxWidth: 200, background: 'white' }}
          />
        );
      return value === null || value === undefined ? value : cellText(value);
    }),
  );
  return (
    <>
      <RowsTable
        label={file.path}
        columns={columns.map((name) => ({ name }))}
        rows={rows}
        offset={offset}
        more={offset + PAGE < table.rows.length}
        total={cut ? null : table.rows.length}
        pageSize={PAGE}
        onOffset={setOffset}
      />
      {(cut || table.columns.length > MOST_COLUMNS) && (
        <Text size="xs" c="dimmed" mt={4}>
          {cut ? 'Only the first rows of the file are read. ' : ''}
          {table.columns.length > MOST_COLUMNS ? `${table.columns.length - MOST_COLUMNS} more columns are left out.` : ''}
        </Text>
      )}
    </>
  );
}
