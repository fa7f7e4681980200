import { MultiSelect } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useMemo, useState } from 'react';
import { useApi } from '../../app/api.ts';
import { groupable } from './groups.ts';

const ATTRIBUTES = ['status', 'user', 'dataset'].map((key) => ({ value: `a:${key}`, label: key }));

/** Picks the params, tags and attributes that the runs are grouped by; the server searches. */
export function GroupPicker({ experimentId, by, onChange }: { experimentId: string; by: string[]; onChange: (by: string[]) => void }) {
  const [query, setQuery] = useState('');
  const [q] = useDebouncedValue(query.trim(), 150);
  const found = useApi('listExperimentColumns', { params: { experimentId }, query: { q: q === '' ? undefined : q, limit: 200 } }, { keepPrevious: true });
  const data = useMemo(() => {
    // What is picked stays a choice, whatever is searched for.
    const of = (kind: 'p' | 't', keys: string[]) =>
      [...new Set([...by.filter((id) => id.startsWith(`${kind}:`)), ...keys.map((key) => `${kind}:${key}`)])].map((value) => ({
        value,
        label: value.slice(2),
      }));
    return [
      { group: 'Params', items: of('p', found.data?.params ?? []) },
      { group: 'Attributes', items: ATTRIBUTES },
      { group: 'Tags', items: of('t', found.data?.tags ?? []) },
    ];
  }, [by, found.data]);
  return (
    <MultiSelect
      aria-label="Group by"
      placeholder={by.length === 0 ? 'Group by' : ''}
      data={data}
      value={by}
      onChange={(next) => onChange(groupable(next))}
      searchValue={query}
      onSearchChange={setQuery}
      searchable
      clearable
      hidePickedOptions
      maxValues={4}
      miw={150}
      maw={360}
    />
  );
}
