const LOOPBACK = /^(?:localhost\.?|127\.0\.0\.1|\[::1\]|0\.0\.0\.0|\[::\])$/;

/**
 * Equal for addresses that are surely of one page: `dns+http://` is some of the pages of a name, and this machine has several names.
 * @param url a page's, or the base of Prometheus'; what is no URL stands for itself
 */
export function pageKey(url: string): string {
  const plain = url.replace(/^dns\+(?=https?:)/i, '');
  if (!URL.canParse(plain)) return plain;
  const { protocol, hostname, port, pathname, search } = new URL(plain);
  const host = LOOPBACK.test(hostname) ? 'localhost' : hostname.replace(/\.$/, '');
  return `${protocol}//${host}:${port}${pathname.replace(/\/+$/, '')}${search}`;
}
