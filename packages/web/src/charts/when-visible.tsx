import { type ReactNode, useEffect, useRef, useState } from 'react';

/** Mounts its children only while they are near the screen, so that a page of a thousand charts costs what is seen. */
export function WhenVisible({ height, children }: { height: number; children: () => ReactNode }) {
  const box = useRef<HTMLDivElement>(null);
  const [visible, setVisible] = useState(false);
  useEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const observer = new IntersectionObserver((entries) => setVisible(entries.some((e) => e.isIntersecting)), { rootMargin: '300px 0px' });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return (
    <div ref={box} style={{ minHeight: height }}>
      {visible ? children() : null}
    </div>
  );
}
