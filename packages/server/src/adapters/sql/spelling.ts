import { type Expression, type OperationNode, type RawBuilder, sql } from 'kysely';

/**
 * What the stores ask of a database in words that no two engines share. The stores write `portable(…)`, and each dialect's compiler spells
 * it (see `Spelling`), so that a search is built without knowing where it will run.
 */
export type Word =
  /** Where the second text begins in the first, from 1, whatever their case; 0: nowhere. */
  | 'folded_position'
  /** The text matches the pattern, whatever their case: `%` is any text, `_` one character, nothing escapes them. */
  | 'folded_like'
  /** The same, and case counts. */
  | 'exact_like'
  /** Two texts as one. */
  | 'joined'
  /** A number as text. */
  | 'as_text'
  /** A number from outside, compared with a column of integers or of floats. */
  | 'a_number';

const PREFIX = 'binnacle_';

type Argument = Expression<unknown> | string | number;

/** One of our words, to be spelled when the statement is compiled. */
export function portable<T>(word: Word, ...args: Argument[]): RawBuilder<T> {
  const expression: Expression<T> = {
    get expressionType() {
      return undefined;
    },
    toOperationNode: () => ({ kind: 'FunctionNode', func: `${PREFIX}${word}`, arguments: args.map(nodeOf) }) as OperationNode,
  };
  return sql<T>`${expression}`;
}

const nodeOf = (arg: Argument): OperationNode => (typeof arg === 'object' ? arg.toOperationNode() : ({ kind: 'ValueNode', value: arg } as OperationNode));

/** How an engine says each word. `value` is what a given argument holds, when it is a plain value. */
export type Spelling = Record<Word, (args: Expression<unknown>[], values: unknown[]) => RawBuilder<unknown>>;

/** The node to compile in the place of a call, or undefined when it is none of our words. */
export function spell(spelling: Spelling, node: { func: string; arguments: readonly OperationNode[] }): OperationNode | undefined {
  if (!node.func.startsWith(PREFIX)) return undefined;
  const word = spelling[node.func.slice(PREFIX.length) as Word];
  const args = node.arguments.map((argument): Expression<unknown> => ({ expressionType: undefined, toOperationNode: () => argument }));
  const values = node.arguments.map((argument) => (argument.kind === 'ValueNode' ? (argument as unknown as { value: unknown }).value : undefined));
  return word(args, values).toOperationNode();
}
