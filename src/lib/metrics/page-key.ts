const LOOPBACK = /^(?:localhost\.?|127\.0\.0\.1|\[::1\]|\[::ffff:7f00:1\]|0\.0\.0\.0|\[::\])$/;

/**
 * Equal for addresses that are surely of one page: `dns+http://` is some of the pages of a name, and this machine has several names.
 * @param url a page's, or the base of Prometheus'; what is no URL stands for itself
 */
export function pageKey(url: string): string {
  const plain = url.replace(/^dns\+(?=https?:)/i, '');
  if (!URL.canParse(plain)) return plain;
  const { protocol, hostname, port, pathname, search } = new URL(plain);
  const host = LOOPBACK.test(hostname) ? 'localhost' : hostname.replace(/\.$/, '');
  return `${protocol}//${host}:${port}${plainPath(pathname)}${search}`;
}

/** Letters may be written as `%6d`; slashes at the end, and one behind another, change nothing at any server known. */
function plainPath(path: string): string {
  const plain = path.replace(/%[0-9a-f]{2}/gi, (code) => {
    const sign = String.fromCharCode(Number.parseInt(code.slice(1), 16));
    return /[\w.~-]/.test(sign) ? sign : code.toUpperCase();
  });
  return plain.replace(/\/+/g, '/').replace(/\/$/, '');
}
