import { InMemoryServerEventBus, type ServerEvent, type ServerEventBus } from '@modelcontextprotocol/server';
import type { FeedItem } from '../../lib/ledger/index.js';
import type { Changes } from '../changes.js';
import { canaryUri } from './resources.js';

/** Notifies subscribers of changed resources, from the log; follows the log only while there are subscribers. */
export class ResourceUpdates implements ServerEventBus {
  private readonly bus = new InMemoryServerEventBus();
  private listening: Promise<() => void> | null = null;

  constructor(
    private readonly changes: Changes,
    private readonly onError: (error: unknown) => void,
  ) {}

  publish(event: ServerEvent): void {
    this.bus.publish(event);
  }

  subscribe(listener: (event: ServerEvent) => void): () => void {
    const unsubscribe = this.bus.subscribe(listener);
    if (this.listening === null) {
      this.listening = this.changes.subscribe((items) => this.notify(items));
      this.listening.catch((error: unknown) => {
        this.listening = null;
        this.onError(error);
      });
    }
    return () => {
      unsubscribe();
      if (this.bus.listenerCount > 0) return;
      const listening = this.listening;
      this.listening = null;
      listening?.then((stop) => stop()).catch((error: unknown) => this.onError(error));
    };
  }

  private notify(items: readonly FeedItem[]): void {
    const { resources, listed } = changesOf(items);
    for (const uri of resources) this.publish({ kind: 'resource_updated', uri });
    if (listed) this.publish({ kind: 'resources_list_changed' });
  }
}

/** The resources that these commits change, and whether there is a new one. */
export function changesOf(items: readonly FeedItem[]): { resources: string[]; listed: boolean } {
  const changed = new Set<string>();
  let listed = false;
  for (const item of items) {
    if (item.type !== 'event') continue;
    const { kind, subject } = item.event;
    if (/^(canary|fallback|hook)\./.test(kind)) changed.add(canaryUri(subject));
    listed ||= kind === 'canary.requested';
  }
  return { resources: [...changed], listed };
}
