/** A step of an export as a double, and whether that is the very number. None is step 0. */
export function stepOf(step: string | null): { step: number; exact: boolean } {
  if (step === null) return { step: 0, exact: true };
  const number = Number(step);
  const [whole = '', fraction = ''] = step.split('.');
  return { step: number, exact: number.toFixed(fraction.length) === (fraction === '' ? whole : step) };
}

/** Without trailing zeros: 1.5, not 1.500000. As text, since 18 digits may be more than a double holds. */
export const shortStep = (step: string): string => (step.includes('.') ? step.replace(/\.?0+$/, '') : step);
