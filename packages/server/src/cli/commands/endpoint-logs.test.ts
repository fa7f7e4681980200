import { expect, it } from 'vitest';
import { lineOf } from './endpoint-logs.ts';

it('what a server says cannot steer the terminal', () => {
  const shown = (text: string) => lineOf({ at: 0, source: 'stderr', text });
  const at = '1970-01-01T00:00:00.000Z';
  expect(shown('loss\t0.1 größe 👍')).toBe(`${at} loss\t0.1 größe 👍`);
  expect(shown('\u001b[31mred\u001b[0m \u001b]0;title\u0007\u001b[2J')).toBe(`${at} red `);
  expect(shown('over\rwritten\b\u0000 \u009b31m\u001b \u0085\u007f')).not.toMatch(/[\r\b\0\u001b\u0080-\u009f\u007f]/);
});
