const HEAD = 250;

/** Splits a text into an indexable start and the rest. A surrogate pair at the cut stays whole in the start, so that heads sort as texts do. */
export function splitText(text: string): { head: string; rest: string | null } {
  if (text.length <= HEAD) return { head: text, rest: null };
  const code = text.charCodeAt(HEAD - 1);
  const cut = code >= 0xd800 && code <= 0xdbff ? HEAD + 1 : HEAD;
  return { head: text.slice(0, cut), rest: text.slice(cut) };
}
export const joinText = (head: string, rest: string | null): string => (rest === null ? head : head + rest);
