import type { Page } from 'playwright-core';

export interface Frames {
  count: number;
  /** Milliseconds between two frames: what a user sees as a stutter when it is long. */
  longest: number;
  p95: number;
}

/** Scrolls an element by so many pixels a frame, and notes when the page draws. */
export async function scrollFrames(page: Page, selector: string, pixels: number, frames: number): Promise<Frames> {
  const gaps = await page.locator(selector).evaluate(
    async (element, { by, count }) => {
      const found: number[] = [];
      let before = await new Promise<number>((resolve) => requestAnimationFrame(resolve));
      for (let i = 0; i < count; i++) {
        element.scrollTop += by;
        const now = await new Promise<number>((resolve) => requestAnimationFrame(resolve));
        found.push(now - before);
        before = now;
      }
      return found;
    },
    { by: pixels, count: frames },
  );
  const sorted = [...gaps].sort((a, b) => a - b);
  return { count: gaps.length, longest: sorted.at(-1) ?? Number.NaN, p95: sorted[Math.floor(sorted.length * 0.95)] ?? Number.NaN };
}
