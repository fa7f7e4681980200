import { Text } from '@mantine/core';
import { useApi } from '../../app/api.ts';
import { Panel } from '../../ui/page.tsx';
import { QueryView } from '../../ui/states.tsx';
import { LineageGraph } from './lineage-graph.tsx';

/** What a run was made of, and what became of it. */
export function RunLineage({ runId }: { runId: string }) {
  const lineage = useApi('getRunLineage', { params: { runId } });
  return (
    <Panel title="From dataset to endpoint">
      <QueryView query={lineage}>
        {(data) => (
          <>
            <LineageGraph lineage={data} />
            {data.nodes.length === 1 && (
              <Text c="dimmed" size="sm" mt="xs">
                The run names no dataset, and no model version was made of it yet. Datasets come by mlflow.log_input, versions by registering a model of this
                run.
              </Text>
            )}
          </>
        )}
      </QueryView>
    </Panel>
  );
}
