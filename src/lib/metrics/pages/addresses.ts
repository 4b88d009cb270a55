import { lookup } from 'node:dns/promises';
import { maskUrls } from '../../input/index.js';
import type { Missing } from '../../judge/index.js';
import { shownUrl } from '../http.js';
import { pageUrl } from '../source.js';

/** Gives the IP addresses of a host's name; rejects as `dns.lookup` does. */
export type Lookup = (host: string) => Promise<readonly { address: string; family: number }[]>;

/** Where one process is asked for its page. */
export interface Place {
  /** Stays the same for the same place; without secrets. */
  id: string;
  url: string;
  /** IP address to connect to; left out: whatever the name resolves to. */
  address?: string;
}

/** A name with more is most likely not one service. */
const MOST_ADDRESSES = 100;

const REASONS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'host not found',
  EAI_AGAIN: 'host name lookup failed',
};

/** Looks a name up as every program on this machine does, /etc/hosts included. */
export const systemLookup: Lookup = (host) => lookup(host, { all: true });

/**
 * The places behind an address. `dns+http://` is every address of the name: the IPv4 ones, or, where there are none, the IPv6
 * ones. Both together would count each process twice that has both.
 * @returns `unreachable` or `invalid` for a name whose addresses are not known
 */
export async function placesOf(url: string, timeoutMs: number, resolve: Lookup): Promise<Place[] | Missing> {
  const plain = pageUrl(url);
  const shown = shownUrl(plain);
  const masked = maskUrls(new URL(plain).href);
  if (plain === url) return [{ id: masked, url }];
  const found = await addressesOf(hostOf(plain), timeoutMs, resolve);
  if (typeof found === 'string') return { state: 'unreachable', detail: `dns+${shown}: ${found}` };
  if (found.length > MOST_ADDRESSES) {
    const detail = `dns+${shown}: the name has ${found.length} addresses; at most ${MOST_ADDRESSES} are read`;
    return { state: 'invalid', detail };
  }
  return found.map((address) => ({ id: `${masked} (${address})`, url: plain, address }));
}

/** @returns addresses, sorted; or in words why there are none. */
async function addressesOf(host: string, timeoutMs: number, resolve: Lookup): Promise<string[] | string> {
  const late = `the name was not looked up within ${timeoutMs / 1000} s`;
  try {
    const all = await within(timeoutMs, resolve(host), late);
    if (typeof all === 'string') return all;
    const of = (family: number) => all.filter((one) => one.family === family).map(({ address }) => address);
    const chosen = of(4).length > 0 ? of(4) : of(6);
    return chosen.length === 0 ? 'the name has no addresses' : [...new Set(chosen)].sort();
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    const reason = REASONS[code];
    return reason === undefined ? message : `${reason} (${code})`;
  }
}

/** A lookup of the system cannot be stopped, only left alone. */
function within<T>(timeoutMs: number, work: Promise<T>, late: string): Promise<T | string> {
  const { promise, resolve, reject } = Promise.withResolvers<T | string>();
  const timer = setTimeout(resolve, timeoutMs, late);
  work.then(resolve, reject).finally(() => clearTimeout(timer));
  return promise;
}

function hostOf(url: string): string {
  return new URL(url).hostname.replace(/^\[(.*)\]$/, '$1');
}
