import './log-box.css';
import { type HTMLAttributes, type RefObject, type UIEvent, useCallback, useState } from 'react';

/** Nearer to the end than this, one reads along. */
const NEAR = 40;

export interface LogEnd {
  /** Whether the reader is at the end, and so goes along with what comes. */
  following: boolean;
  follow: (following: boolean) => void;
  /** Moves there. */
  scroll: () => void;
}

/** The end of a log that grows. Whoever is there goes along, whoever reads further up stays where they are; the caller scrolls when lines have come. */
export function useLogEnd(box: RefObject<HTMLDivElement | null>, atFirst = true): LogEnd {
  const [following, follow] = useState(atFirst);
  const scroll = useCallback(() => box.current?.scrollTo(0, box.current.scrollHeight), [box]);
  return { following, follow, scroll };
}

/** The box in which the lines of a log scroll. `more` says that what it ends with is not the log's end; `onPlace` is told how much lies above and below. */
export function LogBox({
  ref,
  end,
  label,
  wrap,
  look = 'plain',
  more = false,
  onPlace,
  ...rest
}: {
  ref: RefObject<HTMLDivElement | null>;
  end: LogEnd;
  label: string;
  wrap: boolean;
  /** plain: lines of text as they are; framed: rows that the caller lays out, in a box of one height. */
  look?: 'plain' | 'framed';
  more?: boolean;
  onPlace?: (above: number, below: number) => void;
} & Pick<HTMLAttributes<HTMLDivElement>, 'aria-live' | 'children'>) {
  const onScroll = ({ currentTarget: { scrollHeight, scrollTop, clientHeight } }: UIEvent<HTMLDivElement>) => {
    const below = scrollHeight - scrollTop - clientHeight;
    end.follow(below < NEAR && !more);
    onPlace?.(scrollTop, below);
  };
  const classes = ['bn-log', look, ...(wrap ? [] : ['nowrap'])];
  return <div ref={ref} className={classes.join(' ')} tabIndex={0} role="log" aria-label={label} onScroll={onScroll} {...rest} />;
}
