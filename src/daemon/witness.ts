import type { ServerResponse } from 'node:http';
import type { Witness } from '../lib/evidence/witness/index.js';
import { DescriptorWatch } from './descriptors.js';
import { HttpError, type HttpServer, type Route, sendJson, startHttpServer } from './http/index.js';

export interface WitnessServerOptions {
  witness: Witness;
  /** Shown by `/healthz`. */
  name: string;
  host: string;
  port: number;
  /** Names that Host may have, besides the loopback names. */
  allowedHosts: readonly string[];
  /** One line for standard error. */
  say?: (line: string) => void;
  onError(error: unknown): void;
}

/** More than a proof of 63 lines and a checkpoint with many signatures. */
const BODY_LIMIT = 64 * 1024;

/**
 * A witness over HTTP (https://c2sp.org/tlog-witness): `POST /add-checkpoint`, and `GET /checkpoint?origin=ORIGIN` for auditors: the
 * last checkpoint it has cosigned. No route needs a key: a request is authorised by the log's signature on the checkpoint.
 * @throws LukhasError LISTEN
 */
export async function startWitness(options: WitnessServerOptions): Promise<HttpServer> {
  const { witness, name, host, port, allowedHosts, say = () => undefined, onError } = options;
  const descriptors = new DescriptorWatch({ maxConnections: undefined, concurrency: 0, say, onError });
  try {
    const server = await startHttpServer({
      routes: [addCheckpoint(witness), lastCheckpoint(witness), health(name)],
      host,
      port,
      allowedHosts,
      bodyLimit: BODY_LIMIT,
      maxConnections: descriptors.begin(true),
      onError,
    });
    descriptors.watch(server);
    const close = (graceMs: number) => server.close(graceMs).finally(() => descriptors.stop());
    return { ...server, close };
  } catch (error) {
    descriptors.stop();
    throw error;
  }
}

function addCheckpoint(witness: Witness): Route {
  return {
    methods: ['POST'],
    path: '/add-checkpoint',
    open: true,
    async handle(_request, response, context) {
      const answer = await witness.add(await context.body());
      if (answer.status === 200) sendText(response, 200, 'text/plain; charset=utf-8', answer.cosignature);
      else if (answer.status === 409) sendText(response, 409, 'text/x.tlog.size', `${answer.size}\n`);
      else throw new HttpError(answer.status, answer.message);
    },
  };
}

function lastCheckpoint(witness: Witness): Route {
  return {
    methods: ['GET'],
    path: '/checkpoint',
    open: true,
    anySite: true,
    async handle(_request, response, { url }) {
      const origin = url.searchParams.get('origin');
      if (origin === null) throw new HttpError(400, 'origin is required: /checkpoint?origin=ORIGIN');
      const note = await witness.last(origin);
      if (note === null) throw new HttpError(404, 'no checkpoint of this log has been cosigned here');
      sendText(response, 200, 'text/plain; charset=utf-8', note);
    },
  };
}

function health(name: string): Route {
  return {
    methods: ['GET'],
    path: '/healthz',
    open: true,
    probe: true,
    anySite: true,
    handle: (_request, response) => sendJson(response, 200, { status: 'ok', witness: name }),
  };
}

function sendText(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(text) }).end(text);
}
