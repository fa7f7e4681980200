import { useEffect, useState } from 'react';
import { formatDuration } from './format.ts';

/** How long something took, or has been taking: it counts on while there is no end. */
export function Elapsed({ from, to }: { from: number | null; to: number | null }) {
  const [now, setNow] = useState(() => Date.now());
  const running = from !== null && to === null;
  useEffect(() => {
    if (!running) return undefined;
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [running]);
  return <span>{from === null ? '–' : formatDuration(Math.max(0, (to ?? now) - from))}</span>;
}
