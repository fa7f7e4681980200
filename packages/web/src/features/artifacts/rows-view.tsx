import { Text } from '@mantine/core';
import { useState } from 'react';
import { problemOf, useApi } from '../../app/api.ts';
import { plural } from '../../ui/format.ts';
import { ErrorState, Loading } from '../../ui/states.tsx';
import { RowsTable } from './rows-table.tsx';
import { TextView } from './text-view.tsx';
import type { ArtifactRef } from './use-bytes.ts';

const PAGE = 100;

/** A table in a file, which the server reads by pages. */
export function RowsView({ file }: { file: ArtifactRef }) {
  const [offset, setOffset] = useState(0);
  const page = useApi(
    'readRunArtifactRows',
    { params: { runId: file.runId }, query: { path: file.path, modelId: file.modelId, offset, limit: PAGE } },
    { keepPrevious: true, staleTime: 60_000, retry: false },
  );
  if (page.isError && page.data === undefined) {
    const { code, detail } = problemOf(page.error);
    // Text that is no table after all can still be read.
    if (code === 'table_unreadable' && /\.(csv|tsv)$/i.test(file.path))
      return (
        <TextView
          file={file}
          note={
            <Text size="sm" c="dimmed" mb="xs" className="break">
              It cannot be read as a table: {detail}
            </Text>
          }
        />
      );
    return <ErrorState error={page.error} retry={page.refetch} compact />;
  }
  if (page.data === undefined) return <Loading />;
  const { columns, columnsLeftOut, rows, more, total } = page.data;
  return (
    <>
      <RowsTable
        label={file.path}
        columns={columns}
        rows={rows}
        offset={page.data.offset}
        more={more}
        total={total}
        pageSize={PAGE}
        onOffset={setOffset}
        busy={page.isPlaceholderData}
      />
      {columnsLeftOut > 0 && (
        <Text size="xs" c="dimmed" mt={4}>
          The first {plural(columns.length, 'column')}; {plural(columnsLeftOut, 'more', 'more')} in the file.
        </Text>
      )}
      {page.isError && <ErrorState error={page.error} retry={page.refetch} compact />}
    </>
  );
}
