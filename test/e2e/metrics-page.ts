import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Cumulative counters of a service that answers `perSecond` requests, all fast, since `since`. */
export interface Counters {
  requests: number;
  errors: number;
}

/** The counters as a service exposes them. @param timestamp milliseconds since the epoch, on every sample */
export function exposition({ requests, errors }: Counters, timestamp?: number): string {
  const at = timestamp === undefined ? '' : ` ${timestamp}`;
  const buckets = ['0.05', '0.25', '1', '+Inf'].map((le) => `model_latency_bucket{le="${le}"} ${requests}${at}`);
  return [
    '# TYPE model_requests_total counter',
    `model_requests_total ${requests}${at}`,
    '# TYPE model_errors_total counter',
    `model_errors_total ${errors}${at}`,
    '# TYPE model_latency histogram',
    ...buckets,
    `model_latency_sum ${requests * 0.01}${at}`,
    `model_latency_count ${requests}${at}`,
    '',
  ].join('\n');
}

export interface Page {
  url: string;
  /** Answers from now on; replaced in the middle of a test. */
  answer: RequestListener;
  /** Refuses connections from now on. */
  close(): Promise<void>;
}

/** A server on loopback whose answers a test decides. */
export async function serve(answer: RequestListener): Promise<Page> {
  const server: Server = createServer((request, response) => page.answer(request, response));
  const page: Page = {
    url: '',
    answer,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  page.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`;
  return page;
}

/** A metrics page that counts `perSecond` requests a second, with this share of errors; as of a process that says when it began. */
export function counting(perSecond: number, share = 0, change?: (c: Counters) => string): RequestListener {
  const began = Date.now();
  const shown = change ?? ((c: Counters) => `process_start_time_seconds ${began / 1000}\n${exposition(c)}`);
  return (_, response) => {
    const requests = Math.floor(((Date.now() - began) / 1000) * perSecond) + 100;
    response.setHeader('content-type', 'text/plain; version=0.0.4');
    response.end(shown({ requests, errors: Math.floor(requests * share) }));
  };
}
