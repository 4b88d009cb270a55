import { HttpError, type Route } from './route.js';

/** Finds the route of a request, with or without a slash at the end of its path, or lists the available ones. */
export class Router {
  readonly #routes: ReadonlyMap<string, readonly Route[]>;

  constructor(routes: readonly Route[]) {
    const byPath = new Map<string, Route[]>();
    for (const route of routes) byPath.set(route.path, [...(byPath.get(route.path) ?? []), route]);
    this.#routes = byPath;
  }

  /** Whether all routes of a path have a mark. */
  isAll(mark: 'anySite' | 'open' | 'page' | 'probe', path: string): boolean {
    return this.#at(path)?.every((route) => route[mark] === true) ?? false;
  }

  /** @throws HttpError 404, 405 */
  find(method: string, path: string): Route {
    const routes = this.#at(path);
    if (routes === undefined) throw new HttpError(404, `no route ${path}; available: ${this.#list().join(', ')}`);
    const wanted = method === 'HEAD' ? 'GET' : method;
    const route = routes.find(({ methods }) => (methods as readonly string[]).includes(wanted));
    if (route) return route;
    const allow = allowed(routes).join(', ');
    throw new HttpError(405, `method not allowed: ${path} accepts ${allow}`, { Allow: allow });
  }

  /** Clients add a slash to an address, or keep one; a redirect would lose the body of a POST. */
  #at(path: string): readonly Route[] | undefined {
    return this.#routes.get(path) ?? this.#routes.get(path.replace(/\/$/, ''));
  }

  #list(): string[] {
    return [...this.#routes].map(([path, routes]) => `${allowed(routes).join('|')} ${path}`);
  }
}

function allowed(routes: readonly Route[]): string[] {
  return [...new Set(routes.flatMap(({ methods }) => methods.flatMap((m) => (m === 'GET' ? ['GET', 'HEAD'] : [m]))))];
}
