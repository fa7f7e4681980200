import { Text } from '@mantine/core';
import { useMemo } from 'react';
import { formatInt } from '../../ui/format.ts';
import { Panel } from '../../ui/page.tsx';
import { FoldAll } from './fold-button.tsx';
import { openness, toggled, treeRows } from './tree.ts';
import { TreeGrid } from './tree-grid.tsx';

/** A run's params, nested by their names. */
export function ParamsTree({ params, fold, onFold }: { params: [key: string, value: string][]; fold: string[]; onFold: (fold: string[]) => void }) {
  const rows = useMemo(() => treeRows(params, ([key]) => key, openness(fold)), [params, fold]);
  const branches = rows.filter((row) => row.kind === 'branch');
  return (
    <Panel
      title={`Params (${formatInt(params.length)})`}
      actions={branches.length > 0 && <FoldAll of="params" anyOpen={branches.some((row) => row.open)} onFold={onFold} />}
    >
      {params.length === 0 ? (
        <Text c="dimmed" size="sm">
          No params logged.
        </Text>
      ) : (
        <TreeGrid
          label="Params"
          rows={rows}
          onToggle={(path) => onFold(toggled(fold, path))}
          renderCells={({ key, label, item }, indent) => (
            <>
              <Text role="gridcell" span fz={13} c="dimmed" className="break" title={key} style={{ flex: '0 0 42%', paddingLeft: indent }}>
                {label}
              </Text>
              <span role="gridcell" className="mono break" style={{ flex: '1 1 0', minWidth: 0 }}>
                {item[1]}
              </span>
            </>
          )}
        />
      )}
    </Panel>
  );
}
