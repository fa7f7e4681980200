import type { StoreClass, StoreCommand } from '../engine.ts';

/** What a transaction must hold before it reads: shared beside others of its store, or alone. */
export interface Lock {
  name: string;
  shared: boolean;
}

/**
 * The locks of a transaction, in the order in which all take them. A store method that names the one thing that it changes (`scopes`) has
 * that alone and its store with others; one that does not has its store alone. So what a method reads is still so when it writes, on every
 * engine and from every server, and writes to different runs go side by side.
 */
export function locksOf(stores: Record<string, StoreClass>, commands: readonly StoreCommand[]): Lock[] {
  const shared = new Map<string, boolean>();
  const things = new Set<string>();
  for (const { store, method, args } of commands) {
    const scope = stores[store]?.scopes?.[method];
    shared.set(store, scope !== undefined && (shared.get(store) ?? true));
    for (const other of stores[store]?.excludes ?? []) shared.set(other, false);
    const thing = scope?.(...args);
    if (thing !== undefined && thing !== null) things.add(`${store}/${thing}`);
  }
  const whole = [...shared].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, share]): Lock => ({ name, shared: share }));
  const alone = [...things].filter((name) => shared.get(name.slice(0, name.indexOf('/'))) === true).sort();
  return [...whole, ...alone.map((name): Lock => ({ name, shared: false }))];
}

/** What requests of this process queue behind before they take a connection; undefined: nothing. */
export const queueOf = (locks: readonly Lock[]): string | undefined => {
  const alone = locks.filter(({ shared }) => !shared).map(({ name }) => name);
  return alone.length === 0 ? undefined : alone.join('\n');
};
