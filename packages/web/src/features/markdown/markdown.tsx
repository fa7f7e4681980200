import './markdown.css';
import { Link } from '@tanstack/react-router';
import { createContext, type ReactNode, useContext, useMemo } from 'react';
import { client } from '../../app/api.ts';
import { type Block, type Inline, parseMarkdown } from './parse.ts';
import { targetOf } from './targets.ts';

/** The run whose artifacts a text may show and link to, and the folder that it is in ('' is the root). */
export interface Beside {
  runId: string;
  /** The logged model whose files these are; the run's own when absent. */
  modelId?: string | undefined;
  folder: string;
}
const Surroundings = createContext<Beside | undefined>(undefined);
/** A longer one is shown as it is written. */
const LONGEST = 100_000;

/**
 * Somebody's Markdown as elements of our own: no HTML of theirs, links that give away nothing, and pictures from the same artifacts only.
 * `breaks` keeps the ends of lines, as people expect of a note.
 */
export default function Markdown({ text, beside, breaks = false }: { text: string; beside?: Beside; breaks?: boolean }) {
  const blocks = useMemo(() => (text.length > LONGEST ? undefined : parseMarkdown(text)), [text]);
  if (blocks === undefined)
    return (
      <pre className="bn-code" tabIndex={0} aria-label="Text">
        {text}
      </pre>
    );
  return (
    <Surroundings value={beside}>
      <div className={breaks ? 'bn-md breaks' : 'bn-md'}>
        <Blocks of={blocks} />
      </div>
    </Surroundings>
  );
}

function Blocks({ of, tight = false }: { of: Block[]; tight?: boolean }) {
  // The index is the key: blocks have no other identity.
  return of.map((block, i) => <OneBlock key={i} block={block} tight={tight} />);
}

function OneBlock({ block, tight }: { block: Block; tight: boolean }): ReactNode {
  switch (block.type) {
    case 'heading': {
      // The page has its own first two levels.
      const Tag = `h${Math.min(6, block.level + 2)}` as 'h3';
      return (
        <Tag>
          <Inlines of={block.inlines} />
        </Tag>
      );
    }
    case 'paragraph':
      return tight ? (
        <Inlines of={block.inlines} />
      ) : (
        <p>
          <Inlines of={block.inlines} />
        </p>
      );
    case 'code':
      return (
        <pre className="bn-code" tabIndex={0} aria-label={block.language === '' ? 'Code' : `Code, ${block.language}`}>
          <code>{block.text}</code>
        </pre>
      );
    case 'quote':
      return (
        <blockquote>
          <Blocks of={block.blocks} />
        </blockquote>
      );
    case 'rule':
      return <hr />;
    case 'list': {
      const items = block.items.map((item, i) => (
        <li key={i} className={item.checked === null ? undefined : 'task'}>
          {item.checked !== null && <input type="checkbox" checked={item.checked} readOnly disabled aria-label={item.checked ? 'Done' : 'To do'} />}{' '}
          <Blocks of={item.blocks} tight={block.tight} />
        </li>
      ));
      return block.ordered ? <ol start={block.start}>{items}</ol> : <ul>{items}</ul>;
    }
    default:
      return (
        <div className="bn-md-table" tabIndex={0} role="group" aria-label="Table">
          <table>
            <thead>
              <tr>
                {block.head.map((cell, c) => (
                  <th key={c} style={{ textAlign: block.align[c] }}>
                    <Inlines of={cell} />
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {block.rows.map((row, r) => (
                <tr key={r}>
                  {row.map((cell, c) => (
                    <td key={c} style={{ textAlign: block.align[c] }}>
                      <Inlines of={cell} />
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      );
  }
}

function Inlines({ of }: { of: Inline[] }) {
  return of.map((one, i) => <OneInline key={i} inline={one} />);
}

function OneInline({ inline }: { inline: Inline }): ReactNode {
  switch (inline.type) {
    case 'text':
      return inline.text;
    case 'code':
      return <code>{inline.text}</code>;
    case 'break':
      return <br />;
    case 'strong':
      return (
        <strong>
          <Inlines of={inline.children} />
        </strong>
      );
    case 'em':
      return (
        <em>
          <Inlines of={inline.children} />
        </em>
      );
    case 'del':
      return (
        <del>
          <Inlines of={inline.children} />
        </del>
      );
    case 'image':
      return <Picture href={inline.href} alt={inline.alt} />;
    default:
      return (
        <Anchor href={inline.href} title={inline.title}>
          <Inlines of={inline.children} />
        </Anchor>
      );
  }
}

function Anchor({ href, title, children }: { href: string; title: string; children: ReactNode }) {
  const beside = useContext(Surroundings);
  const target = targetOf(href, beside?.folder ?? '');
  const named = title === '' ? {} : { title };
  if (target.kind === 'web')
    return (
      <a href={target.href} target="_blank" rel="noopener noreferrer nofollow" {...named}>
        {children}
      </a>
    );
  if (target.kind === 'file' && beside !== undefined)
    return (
      <Link to="/runs/$runId" params={{ runId: beside.runId }} search={{ tab: 'artifacts', path: target.path, model: beside.modelId }} {...named}>
        {children}
      </Link>
    );
  return <span title={href}>{children}</span>;
}

function Picture({ href, alt }: { href: string; alt: string }) {
  const beside = useContext(Surroundings);
  const target = targetOf(href, beside?.folder ?? '');
  if (target.kind === 'file' && beside !== undefined)
    return (
      <img
        src={client.url('getRunArtifact', { params: { runId: beside.runId }, query: { path: target.path, modelId: beside.modelId } })}
        alt={alt}
        loading="lazy"
      />
    );
  // A picture from elsewhere would tell its server who reads this.
  return target.kind === 'web' ? (
    <Anchor href={href} title="">
      {alt === '' ? target.href : alt}
    </Anchor>
  ) : (
    <span title={href}>{alt}</span>
  );
}
