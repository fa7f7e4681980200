import { Kbd, Modal, Table } from '@mantine/core';
import { Fragment } from 'react';

const SHORTCUTS: [string, string[]][] = [
  ['Search everything', ['Ctrl / ⌘', 'K']],
  ['This list', ['Ctrl / ⌘', '/']],
  ['Light or dark', ['Ctrl / ⌘', 'J']],
  ['Go to overview', ['g', 'h']],
  ['Go to experiments', ['g', 'e']],
  ['Go to models', ['g', 'm']],
  ['Go to endpoints', ['g', 'n']],
  ['Go to batch jobs', ['g', 'b']],
  ['Go to monitoring', ['g', 'o']],
  ['In a chart: zoom, move, whole range', ['+', '−', '←', '→', '0']],
  ['In a table of runs: move, open, tick', ['↑', '↓', 'Enter', 'Space']],
];

export function ShortcutsDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} title="Keyboard shortcuts" size="md" closeButtonProps={{ 'aria-label': 'Close' }}>
      <Table>
        <Table.Tbody>
          {SHORTCUTS.map(([what, keys]) => (
            <Table.Tr key={what}>
              <Table.Td>{what}</Table.Td>
              <Table.Td className="num">
                {keys.map((key, i) => (
                  <Fragment key={key}>
                    {i > 0 && ' '}
                    <Kbd>{key}</Kbd>
                  </Fragment>
                ))}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Modal>
  );
}
