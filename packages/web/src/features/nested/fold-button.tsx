import './nested.css';
import { ActionIcon, Tooltip } from '@mantine/core';
import { IconChevronDown, IconChevronRight, IconFold, IconFoldDown } from '@tabler/icons-react';
import { formatInt } from '../../ui/format.ts';
import { ALL_CLOSED } from './tree.ts';

/** Opens and closes a branch; Right opens and Left closes, too. */
export function FoldButton({ label, title, count, open, onToggle }: { label: string; title: string; count: number; open: boolean; onToggle: () => void }) {
  return (
    <button
      type="button"
      className="bn-fold"
      aria-expanded={open}
      title={title}
      onClick={onToggle}
      onKeyDown={(e) => {
        if (e.key !== (open ? 'ArrowLeft' : 'ArrowRight')) return;
        e.preventDefault();
        onToggle();
      }}
    >
      {open ? <IconChevronDown size={14} aria-hidden /> : <IconChevronRight size={14} aria-hidden />}
      <span className="clip">{label}</span> <span className="bn-fold-count">{formatInt(count)}</span>
    </button>
  );
}

/** Closes all branches, or opens them when none is open. */
export function FoldAll({ of, anyOpen, onFold }: { of: string; anyOpen: boolean; onFold: (fold: string[]) => void }) {
  const label = `${anyOpen ? 'Collapse' : 'Expand'} all ${of}`;
  return (
    <Tooltip label={label}>
      <ActionIcon aria-label={label} onClick={() => onFold(anyOpen ? ALL_CLOSED : [])}>
        {anyOpen ? <IconFold size={16} aria-hidden /> : <IconFoldDown size={16} aria-hidden />}
      </ActionIcon>
    </Tooltip>
  );
}
