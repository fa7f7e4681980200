import { Badge, Group, Table, Text } from '@mantine/core';
import { useMemo } from 'react';
import { KeyValues } from '../../ui/page.tsx';
import { ErrorState, Loading } from '../../ui/states.tsx';
import { type Field, readMlmodel } from './mlmodel.ts';
import { Lines, TextView } from './text-view.tsx';
import { type ArtifactRef, useBytes } from './use-bytes.ts';

const MOST = 1_000_000;
const SHOWN = ['utc_time_created', 'mlflow_version', 'model_size_bytes', 'model_uuid', 'model_id', 'run_id'];

/** An MLmodel file in short (flavors and signature), and as it is. */
export function ModelView({ file }: { file: ArtifactRef }) {
  const content = useBytes(file, MOST);
  const text = useMemo(() => (content.data === undefined ? undefined : new TextDecoder().decode(content.data.bytes)), [content.data]);
  const model = useMemo(() => (text === undefined ? undefined : readMlmodel(text)), [text]);
  if (content.isError) return <ErrorState error={content.error} retry={content.refetch} />;
  if (text === undefined) return <Loading />;
  if (model === undefined) return <TextView file={file} />;
  return (
    <div style={{ display: 'grid', gap: 14 }}>
      <KeyValues
        items={[
          [
            'Flavors',
            <Group key="f" gap={6}>
              {model.flavors.map(({ name, fields }) => (
                <Badge key={name} title={fields.map(([key, value]) => `${key}: ${value}`).join('\n')}>
                  {name}
                </Badge>
              ))}
            </Group>,
          ],
          ...model.fields.filter(([key]) => SHOWN.includes(key)),
        ]}
      />
      {model.inputs === undefined && model.outputs === undefined ? (
        <Text size="sm" c="dimmed">
          The model has no signature.
        </Text>
      ) : (
        <div style={{ display: 'grid', gridTemplateColumns: 'repeat(auto-fit, minmax(min(260px, 100%), 1fr))', gap: 14, alignItems: 'start' }}>
          <Fields title="Inputs" fields={model.inputs} />
          <Fields title="Outputs" fields={model.outputs} />
        </div>
      )}
      <Lines text={text} label={file.path} />
    </div>
  );
}

function Fields({ title, fields }: { title: string; fields: Field[] | undefined }) {
  if (fields === undefined) return null;
  return (
    <div style={{ maxHeight: 320, overflow: 'auto' }} tabIndex={0} role="group" aria-label={title}>
      <Table>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>
              {title} ({fields.length})
            </Table.Th>
            <Table.Th>Type</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {fields.map(({ name, type }, i) => (
            <Table.Tr key={i}>
              <Table.Td className="break">{name}</Table.Td>
              <Table.Td>
                <code>{type}</code>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}
