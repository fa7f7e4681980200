import { DiffView } from './diff-view.tsx';
import { HtmlView } from './html-view.tsx';
import { JsonView } from './json-view.tsx';
import { viewKind } from './kinds.ts';
import { ImageView, MediaView } from './media-view.tsx';
import { ModelView } from './model-view.tsx';
import { RowsView } from './rows-view.tsx';
import { MarkdownView, NoView, NpyView, UnknownView } from './small-views.tsx';
import { TextView } from './text-view.tsx';
import type { ArtifactRef } from './use-bytes.ts';

/** A file of a run, shown in place by what its name says that it is. */
export function ArtifactView({ file, size }: { file: ArtifactRef; size?: number | null | undefined }) {
  const kind = viewKind(file.path);
  switch (kind) {
    case 'image':
      return <ImageView file={file} />;
    case 'audio':
    case 'video':
      return <MediaView file={file} kind={kind} />;
    case 'html':
      return <HtmlView file={file} />;
    case 'markdown':
      return <MarkdownView file={file} />;
    case 'json':
    case 'json-lines':
      return <JsonView file={file} lines={kind === 'json-lines'} />;
    case 'rows':
      return <RowsView file={file} />;
    case 'diff':
      return <DiffView file={file} />;
    case 'mlmodel':
      return <ModelView file={file} />;
    case 'npy':
      return <NpyView file={file} />;
    case 'text':
      return <TextView file={file} />;
    case 'unknown':
      return <UnknownView file={file} />;
    default:
      return <NoView size={size} />;
  }
}
