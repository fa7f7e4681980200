import { mediaTypeOf } from '../artifacts/index.ts';
import { disposition } from './disposition.ts';

/** Where the pages that people log get their libraries from (Plotly, Bokeh, Altair, DataTables …). Nothing else of the network is let in. */
const LIBRARIES = [
  'https://cdn.plot.ly',
  'https://cdn.bokeh.org',
  'https://cdn.jsdelivr.net',
  'https://cdnjs.cloudflare.com',
  'https://unpkg.com',
  'https://d3js.org',
  'https://code.jquery.com',
  'https://cdn.datatables.net',
  'https://fonts.googleapis.com',
  'https://fonts.gstatic.com',
].join(' ');

/** A file of someone's making, opened by itself: nobody's origin, and no script. */
const STILL = "sandbox; default-src 'none'; img-src data:; media-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'";
/** The same in a frame of our interface: its scripts run, but are nobody's origin, reach no server (but those libraries) and open, submit and download nothing. */
const LIVELY = [
  'sandbox allow-scripts',
  "default-src 'none'",
  `script-src 'unsafe-inline' 'unsafe-eval' data: blob: ${LIBRARIES}`,
  `style-src 'unsafe-inline' data: blob: ${LIBRARIES}`,
  `font-src data: blob: ${LIBRARIES}`,
  'img-src data: blob:',
  'media-src data: blob:',
  'worker-src blob:',
  'connect-src data: blob:',
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'self'",
].join('; ');

/** A browser may show these; everything else is a download. */
const isShown = (type: string): boolean => /^(text|image|audio|video)\/|\/json$/.test(type);

/**
 * The headers of an artifact, less its length. `frame`: it is for a frame of the interface. Browsers say what they ask for (Sec-Fetch-Dest), so a link that
 * says `frame` opens a page without scripts.
 */
export function contentHeaders(path: string, { frame, destination }: { frame: boolean; destination: string | undefined }): Record<string, string> {
  const type = mediaTypeOf(path);
  const shown = type !== undefined && isShown(type) ? type : undefined;
  const framed = frame && shown === 'text/html' && (destination === undefined || destination === 'iframe');
  return {
    'content-type': shown === undefined ? 'application/octet-stream' : /^text\/|json$/.test(shown) ? `${shown}; charset=utf-8` : shown,
    'content-disposition': disposition(path, shown === undefined ? 'attachment' : 'inline'),
    'content-security-policy': framed ? LIVELY : STILL,
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-cache',
  };
}
