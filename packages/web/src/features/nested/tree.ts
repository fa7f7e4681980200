/**
 * Keys with slashes as a tree: `train/loss` and `train/accuracy` are two leaves of the branch `train`. Pure; tested in tree.test.ts.
 */
export interface Leaf<T> {
  kind: 'leaf';
  key: string;
  /** What is left of the key below its branch. */
  label: string;
  depth: number;
  item: T;
}
export interface Branch {
  kind: 'branch';
  /** The part of the keys that all of its leaves share, without the slash behind it. */
  path: string;
  label: string;
  depth: number;
  /** The leaves below it, at any depth. */
  keys: string[];
  open: boolean;
}
export type TreeRow<T> = Branch | Leaf<T>;

interface Node<T> {
  path: string;
  keys: string[];
  branches: Map<string, Node<T>>;
  entries: (Node<T> | { key: string; item: T })[];
}

/** A slash between two names; at an end, or doubled, it belongs to a name. */
const SEPARATOR = /(?<=[^/])\/(?=[^/])/;
const node = <T>(path: string): Node<T> => ({ path, keys: [], branches: new Map(), entries: [] });

/**
 * The rows of the tree, those in closed branches left out, in the order in which the items come. A branch with a single leaf is
 * no level of its own, nor is one that holds nothing but another branch.
 */
export function treeRows<T>(items: readonly T[], keyOf: (item: T) => string, isOpen: (path: string) => boolean): TreeRow<T>[] {
  const root = node<T>('');
  for (const item of items) {
    const key = keyOf(item);
    let at = root;
    let end = -1;
    for (const name of key.split(SEPARATOR).slice(0, -1)) {
      end += name.length + 1;
      let next = at.branches.get(name);
      if (next === undefined) {
        next = node(key.slice(0, end));
        at.branches.set(name, next);
        at.entries.push(next);
      }
      next.keys.push(key);
      at = next;
    }
    at.entries.push({ key, item });
  }
  const rows: TreeRow<T>[] = [];
  const walk = (parent: Node<T>, depth: number) => {
    const below = parent === root ? 0 : parent.path.length + 1;
    for (const entry of parent.entries) {
      let last = entry;
      while ('entries' in last && last.entries.length === 1) last = last.entries[0] as Node<T> | { key: string; item: T };
      if ('item' in last) rows.push({ kind: 'leaf', key: last.key, label: last.key.slice(below), depth, item: last.item });
      else {
        const open = isOpen(last.path);
        rows.push({ kind: 'branch', path: last.path, label: last.path.slice(below), depth, keys: last.keys, open });
        if (open) walk(last, depth + 1);
      }
    }
  };
  walk(root, 0);
  return rows;
}

/** The rows without a tree, by their whole keys: what a search shows. */
export const flatRows = <T>(items: readonly T[], keyOf: (item: T) => string): TreeRow<T>[] =>
  items.map((item) => ({ kind: 'leaf', key: keyOf(item), label: keyOf(item), depth: 0, item }));

/** In a list of closed branches: all are closed, and those that are listed beside it are open. No branch has this path. */
const ALL = '/';
export const ALL_CLOSED = [ALL];

/** Whether a branch is open, from the list that the link keeps. */
export function openness(fold: readonly string[]): (path: string) => boolean {
  const listed = new Set(fold);
  return listed.has(ALL) ? (path) => listed.has(path) : (path) => !listed.has(path);
}
export const toggled = (fold: readonly string[], path: string): string[] => (fold.includes(path) ? fold.filter((p) => p !== path) : [...fold, path]);

export interface Section {
  /** The first name of the keys; empty for those that stand alone. */
  path: string;
  keys: string[];
}
/** Keys by their first name; those without one, or alone with theirs, come first. */
export function sectionsOf(keys: readonly string[]): Section[] {
  const byName = new Map<string, string[]>();
  const alone: string[] = [];
  for (const key of keys) {
    const [name = '', ...rest] = key.split(SEPARATOR);
    if (rest.length === 0) alone.push(key);
    else if (byName.get(name)?.push(key) === undefined) byName.set(name, [key]);
  }
  const sections: Section[] = [];
  for (const [path, inside] of byName)
    if (inside.length > 1) sections.push({ path, keys: inside });
    else alone.push(...inside);
  return alone.length === 0 ? sections : [{ path: '', keys: alone }, ...sections];
}
