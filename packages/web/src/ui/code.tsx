import { Box, Tabs } from '@mantine/core';
import { useLocalStorage } from '@mantine/hooks';
import { CopyIcon } from './bits.tsx';
import type { Snippet } from './snippet.ts';

/** Code to take away, with a copy button. */
export function CodeBlock({ code, label = 'Code', maxHeight = 420 }: { code: string; label?: string; maxHeight?: number }) {
  return (
    <Box pos="relative">
      <pre className="bn-code" tabIndex={0} aria-label={label} style={{ maxHeight }}>
        {code}
      </pre>
      {/* Lies over the code where that is wide. */}
      <div className="bn-copy">
        <CopyIcon text={code} label={`Copy ${label}`} />
      </div>
    </Box>
  );
}

/** Tabs and panels name each other by id, and an id has no spaces. */
const idOf = (name: string): string => name.replaceAll(' ', '-');

/** The same thing in several languages; the choice is remembered across pages. */
export function Snippets({ snippets, label = 'Examples' }: { snippets: Snippet[]; label?: string }) {
  const [chosen, choose] = useLocalStorage({ key: 'binnacle-snippet', defaultValue: snippets[0]?.name ?? '', getInitialValueInEffect: false });
  const value = snippets.some((s) => s.name === chosen) ? chosen : (snippets[0]?.name ?? '');
  return (
    <Tabs value={idOf(value)} onChange={(next) => choose(snippets.find((s) => idOf(s.name) === next)?.name ?? value)} keepMounted={false} variant="default">
      <Tabs.List aria-label={label} mb="xs">
        {snippets.map((s) => (
          <Tabs.Tab key={s.name} value={idOf(s.name)} size="xs" py={6} px="sm">
            {s.name}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {snippets.map((s) => (
        <Tabs.Panel key={s.name} value={idOf(s.name)}>
          <CodeBlock code={s.code} label={`${s.name} snippet`} />
        </Tabs.Panel>
      ))}
    </Tabs>
  );
}
