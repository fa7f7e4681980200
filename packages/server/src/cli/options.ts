import { Option } from '@commander-js/extra-typings';
import { UsageError } from './usage.ts';

export const url = () => new Option('--url <url>', 'server to talk to (BINNACLE_URL; default: the one on this data directory or port 8000)');
export const data = () => new Option('--data <dir>', 'data directory (BINNACLE_DATA; default ~/.binnacle)');
export const json = () => new Option('--json', 'print JSON');
export const integer = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value)) throw new UsageError(`${text} is not a whole number.`);
  return value;
};
export const number = (text: string): number => {
  const value = Number(text.replace(/%$/, ''));
  if (text.trim() === '' || !Number.isFinite(value)) throw new UsageError(`${text} is not a number.`);
  return value;
};
export const collect = (value: string, before: string[] | undefined): string[] => [...(before ?? []), value];
