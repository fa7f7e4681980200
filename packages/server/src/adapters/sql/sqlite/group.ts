import type { DatabaseSync } from 'node:sqlite';

export interface GroupMember {
  id: number;
}
export type GroupResult<Value> = { id: number; value: Value } | { id: number; error: unknown };

export interface GroupOptions<Member extends GroupMember, Value> {
  begin: 'BEGIN' | 'BEGIN IMMEDIATE';
  run(member: Member): Promise<Value>;
  /** What `run` noted outside the database (events): told before each run, and told again when all from there on is undone. */
  mark(): number;
  undo(mark: number): void;
}

/**
 * Runs members as one transaction, a savepoint each, and commits them together; one that throws undoes only itself.
 * A full disk makes SQLite roll the whole transaction back by itself: then the member that met it fails with that error, those before it,
 * which are undone through no fault of theirs, run again, and the rest goes on in a new transaction.
 */
export async function commitGroup<Member extends GroupMember, Value>(
  db: DatabaseSync,
  group: readonly Member[],
  options: GroupOptions<Member, Value>,
): Promise<GroupResult<Value>[]> {
  const failed: GroupResult<Value>[] = [];
  const start = options.mark();
  let waiting = [...group];
  while (waiting.length > 0) {
    const done: GroupResult<Value>[] = [];
    let lost: Member | undefined;
    try {
      db.exec(options.begin);
      for (const member of waiting) {
        const mark = options.mark();
        db.exec('SAVEPOINT request');
        try {
          const value = await options.run(member);
          db.exec('RELEASE request');
          done.push({ id: member.id, value });
        } catch (error) {
          options.undo(mark);
          if (!db.isTransaction) {
            failed.push({ id: member.id, error });
            lost = member;
            break;
          }
          db.exec('ROLLBACK TO request; RELEASE request');
          done.push({ id: member.id, error });
        }
      }
      if (lost === undefined) {
        db.exec('COMMIT');
        return [...failed, ...done];
      }
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      options.undo(start);
      return [...failed, ...waiting.map(({ id }) => ({ id, error }))];
    }
    options.undo(start);
    waiting = waiting.filter((member) => member !== lost);
  }
  return failed;
}
