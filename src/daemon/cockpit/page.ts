import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { COCKPIT_PATH } from '../../lib/view/index.js';
import type { Route } from '../http/index.js';

interface Page {
  bytes: Buffer;
  zipped: Buffer;
  etag: string;
  /** Allows the script and the style of this very page, and nothing else. */
  policy: string;
}

/** The cockpit's page, robots.txt, and the way from the daemon's bare address to the page. */
export async function cockpitRoutes(from = dirname(fileURLToPath(import.meta.url))): Promise<Route[]> {
  const page = await readPage(from);
  return [
    {
      methods: ['GET'],
      path: COCKPIT_PATH,
      open: true,
      page: true,
      handle: ({ headers }, response) => {
        if (page === null) sendMissing(response);
        else if (headers['if-none-match'] === page.etag) response.writeHead(304, headersOf(page)).end();
        else sendPage(response, page, /\bgzip\b/.test(headers['accept-encoding'] ?? ''));
      },
    },
    {
      methods: ['GET'],
      path: '/',
      open: true,
      page: true,
      handle: (_, response) => {
        response.writeHead(302, { Location: COCKPIT_PATH, 'Content-Length': 0 }).end();
      },
    },
    {
      methods: ['GET'],
      path: '/robots.txt',
      open: true,
      anySite: true,
      handle: (_, response) => sendText(response, 200, 'User-agent: *\nDisallow: /\n'),
    },
  ];
}

/** Null in a checkout that was not built. */
async function readPage(from: string): Promise<Page | null> {
  const bytes = await nearest(from, 'assets/cockpit.html');
  if (bytes === null) return null;
  const text = bytes.toString();
  const hashOf = (tag: string) => {
    const inside = text.slice(text.indexOf(`<${tag}>`) + tag.length + 2, text.lastIndexOf(`</${tag}>`));
    return `'sha256-${createHash('sha256').update(inside).digest('base64')}'`;
  };
  const policy = [
    "default-src 'none'",
    `script-src ${hashOf('script')}`,
    `style-src ${hashOf('style')}`,
    "connect-src 'self'",
    'img-src data:',
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
  const etag = `"${createHash('sha256').update(bytes).digest('hex').slice(0, 32)}"`;
  return { bytes, zipped: gzipSync(bytes, { level: 9 }), etag, policy };
}

/** Sources and bundle lie at different depths of the package. */
async function nearest(from: string, file: string): Promise<Buffer | null> {
  for (let folder = from; ; folder = dirname(folder)) {
    try {
      return await readFile(join(folder, file));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    if (folder === dirname(folder)) return null;
  }
}

function headersOf({ etag, policy }: Page) {
  return {
    // Asked for again each time: the page is as new as the daemon that serves it.
    'Cache-Control': 'no-cache',
    'Content-Security-Policy': policy,
    'Cross-Origin-Opener-Policy': 'same-origin',
    ETag: etag,
    Vary: 'Accept-Encoding',
  };
}

function sendPage(response: ServerResponse, page: Page, gzip: boolean): void {
  const body = gzip ? page.zipped : page.bytes;
  response.writeHead(200, {
    ...headersOf(page),
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Length': body.length,
    ...(gzip ? { 'Content-Encoding': 'gzip' } : {}),
  });
  response.end(body);
}

function sendMissing(response: ServerResponse): void {
  sendText(response, 404, 'The cockpit was not built. In a checkout of lukhas: npm run build\n');
}

function sendText(response: ServerResponse, status: number, text: string): void {
  const headers = { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': Buffer.byteLength(text) };
  response.writeHead(status, headers).end(text);
}
