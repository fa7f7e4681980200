import { type ComponentProps, lazy, Suspense } from 'react';
import { Loading } from '../../ui/states.tsx';

const Loaded = lazy(() => import('./markdown.tsx'));

/** Markdown, whose reader is loaded when there is some. */
export function Markdown(props: ComponentProps<typeof Loaded>) {
  return (
    <Suspense fallback={<Loading lines={3} height={16} />}>
      <Loaded {...props} />
    </Suspense>
  );
}
