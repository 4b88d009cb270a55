import { type ErrorCode, LukhasError } from '../../errors.js';
import { parseUrl, type UrlRules } from '../../input/index.js';

const ADDRESS: UrlRules = {
  example: 'http://127.0.0.1:8766',
  isBase: true,
  instead: 'put the key into the environment variable LUKHAS_API_KEY',
};
/** Much more than lists of thousands of open canaries take. */
const MOST_BYTES = 64 * 2 ** 20;
const PAGE = /\/(?:cockpit\.html)?$/;
/** As the daemon takes them: what may stand in a header. */
const KEY = /^[\x21-\x7e]+$/;

/** A daemon that did not do what was asked. */
export class DaemonError extends LukhasError {
  /**
   * @param isFinal asking again changes nothing
   * @param retryMs when to ask again, if the daemon said so
   */
  constructor(
    code: ErrorCode,
    message: string,
    readonly isFinal: boolean,
    readonly retryMs: number | null = null,
    options: { suggestions?: readonly string[]; cause?: unknown } = {},
  ) {
    super(code, message, options);
  }
}

/**
 * A daemon over HTTP. The key goes to this address alone: in a header, never in an address, and no redirect is followed.
 */
export class DaemonClient {
  /** Without a slash at its end. */
  readonly place: string;
  readonly #key: string | null;

  /**
   * @param address as a person wrote it; that of its cockpit is taken as well
   * @param key null: none
   * @throws LukhasError USAGE for an address that is none, or holds a credential; CONFIG for a key that no header can hold
   */
  constructor(address: string, key: string | null) {
    // What follows `#` is the page's own.
    const given = /\/cockpit\.html#/.test(address) ? address.replace(/#.*$/, '') : address;
    this.place = parseUrl(given, '--url', 'USAGE', ADDRESS).href.replace(PAGE, '').replace(/\/+$/, '');
    this.#key = key;
    if (key !== null && !KEY.test(key))
      throw new LukhasError('CONFIG', 'LUKHAS_API_KEY: contains a character that is not allowed in an API key', {
        suggestions: ['A key is one word without spaces or line breaks.'],
      });
  }

  /** Whether a key would go over the network where others can read it. */
  get tellsKey(): boolean {
    const { protocol, hostname } = new URL(this.place);
    return this.#key !== null && protocol === 'http:' && !/^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname);
  }

  /** @throws DaemonError */
  async json<T>(path: string, signal: AbortSignal): Promise<T> {
    return this.#parsed<T>(await this.text(path, signal));
  }

  /** @throws DaemonError */
  async text(path: string, signal: AbortSignal): Promise<string> {
    const response = await this.open(path, signal);
    return this.#body(response, signal);
  }

  /** @throws DaemonError */
  async post<T>(path: string, body: unknown, signal: AbortSignal): Promise<T> {
    const headers = { 'Content-Type': 'application/json' };
    const response = await this.#ask(path, signal, { method: 'POST', headers, body: JSON.stringify(body) });
    return this.#parsed<T>(await this.#body(response, signal));
  }

  /** The head of an answer, whose body the caller reads. @throws DaemonError */
  open(path: string, signal: AbortSignal, headers: Record<string, string> = {}): Promise<Response> {
    return this.#ask(path, signal, { headers });
  }

  /** What a connection that failed while it was read means. */
  brokenOff(error: unknown): DaemonError {
    if (error instanceof DaemonError) return error;
    return new DaemonError('DAEMON_UNREACHABLE', `${this.place}: ${whyNot(error)}`, false, null, {
      suggestions: ['Check the address, and that `lukhas serve` runs there.'],
      cause: error,
    });
  }

  async #ask(path: string, signal: AbortSignal, init: RequestInit & { headers: Record<string, string> }) {
    const own = this.#key === null ? {} : { Authorization: `Bearer ${this.#key}` };
    const headers = { ...init.headers, ...own };
    const url = `${this.place}${path}`;
    const response = await this.#reading(() => fetch(url, { ...init, headers, redirect: 'manual', signal }), signal);
    if (response.ok) return response;
    throw await this.#refusal(response, signal);
  }

  #parsed<T>(text: string): T {
    try {
      return JSON.parse(text) as T;
    } catch (cause) {
      throw this.notOurs('its answer is not JSON', cause);
    }
  }

  /** Of a server that goes on for ever, no more is kept than any answer is long. */
  async #body(response: Response, signal: AbortSignal): Promise<string> {
    const decoder = new TextDecoder();
    let [text, bytes] = ['', 0];
    return this.#reading(async () => {
      for await (const piece of response.body ?? []) {
        bytes += piece.length;
        if (bytes > MOST_BYTES) throw this.notOurs(`its answer is longer than ${MOST_BYTES / 2 ** 20} MiB`);
        text += decoder.decode(piece, { stream: true });
      }
      return text + decoder.decode();
    }, signal);
  }

  async #reading<T>(read: () => Promise<T>, signal: AbortSignal): Promise<T> {
    try {
      return await read();
    } catch (error) {
      throw this.brokenOff(signal.aborted ? signal.reason : error);
    }
  }

  async #refusal(response: Response, signal: AbortSignal): Promise<DaemonError> {
    const { status, headers } = response;
    const to = headers.get('location');
    if (status >= 300 && status < 400 && to !== null) {
      await response.body?.cancel();
      return this.#other(`redirects to ${to}`, ['Give that address with --url, if it is the right one.']);
    }
    const { words, suggestions } = refusalIn(await this.#body(response, signal).catch(() => ''));
    if (signal.aborted) return this.brokenOff(signal.reason);
    const said = words ?? `it answered ${status}`;
    if (status === 401) return this.#final(said, [this.#keyAdvice()]);
    if (status === 403)
      return this.#final(said, ['If the daemon has keys, set LUKHAS_API_KEY to one that may do this.']);
    const code = CODES[status];
    // Of another server these say nothing about what was asked for.
    if (code !== undefined && words !== null) return new DaemonError(code, words, true, null, { suggestions });
    if (status === 429 || status >= 500) {
      const seconds = Number(headers.get('retry-after') ?? Number.NaN);
      const retryMs = seconds >= 0 ? Math.min(seconds, 60) * 1000 : null;
      return new DaemonError('DAEMON_UNREACHABLE', `${this.place}: ${said}`, false, retryMs);
    }
    return this.notOurs(`it answered ${status}`);
  }

  #keyAdvice(): string {
    return this.#key === null
      ? 'Set LUKHAS_API_KEY to one of the keys of the daemon.'
      : 'The key in LUKHAS_API_KEY is not one of the daemon: set it to one of its keys.';
  }

  #final(said: string, suggestions: readonly string[]): DaemonError {
    return new DaemonError('DAEMON_REFUSED', `${this.place}: ${said}`, true, null, { suggestions });
  }

  /** While a daemon restarts, what stands before it may answer like this. */
  #other(said: string, suggestions: readonly string[], cause?: unknown): DaemonError {
    return new DaemonError('DAEMON_REFUSED', `${this.place} ${said}`, false, null, { suggestions, cause });
  }

  /** An answer that is none of a daemon's. */
  notOurs(what: string, cause?: unknown): DaemonError {
    const suggestions = ['Check the address. A daemon of an older version cannot be watched.'];
    return this.#other(`does not answer as lukhas serve does: ${what}`, suggestions, cause);
  }
}

/** What the daemon says of a request itself, by its status. */
const CODES: Readonly<Record<number, ErrorCode>> = { 400: 'USAGE', 404: 'NOT_FOUND', 409: 'ILLEGAL_TRANSITION' };

/** What the daemon says of a refusal, and what to do; null: it is not as our daemon answers. */
function refusalIn(text: string): { words: string | null; suggestions: string[] } {
  try {
    const { error, suggestions } = JSON.parse(text) as { error?: { message?: unknown }; suggestions?: unknown };
    return {
      words: typeof error?.message === 'string' ? error.message : null,
      suggestions: Array.isArray(suggestions) ? suggestions.filter((one) => typeof one === 'string') : [],
    };
  } catch {
    return { words: null, suggestions: [] };
  }
}

/** fetch says only that it failed; its cause says why. */
function whyNot(error: unknown): string {
  const { name, message, cause } = error as Error;
  if (name === 'TimeoutError') return 'no answer in time';
  const { code, message: below } = (cause ?? {}) as NodeJS.ErrnoException;
  if (code === undefined && below === undefined) return message;
  return `cannot be reached (${code ?? below})`;
}
