import { TextInput, type TextInputProps } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { useState } from 'react';

/**
 * A search box whose text lives in the URL. The URL follows a moment later, so what is typed is kept here: an address that
 * comes back late must not take letters away.
 */
export function SearchInput({
  value,
  onSearch,
  ...rest
}: { value: string; onSearch: (query: string) => void } & Omit<TextInputProps, 'value' | 'onChange' | 'defaultValue'>) {
  const [draft, setDraft] = useState(value);
  const [known, setKnown] = useState(value);
  const [sent, setSent] = useState<string[]>([]);
  if (known !== value) {
    setKnown(value);
    const at = sent.indexOf(value);
    setSent(sent.slice(at + 1));
    // Not an echo of what was typed here: a link, or the way back.
    if (at < 0) setDraft(value);
  }
  const send = useDebouncedCallback((query: string) => {
    if (query === (sent.at(-1) ?? value)) return;
    setSent((before) => [...before, query]);
    onSearch(query);
  }, 250);
  return (
    <TextInput
      {...rest}
      value={draft}
      onChange={(e) => {
        setDraft(e.currentTarget.value);
        send(e.currentTarget.value);
      }}
    />
  );
}
