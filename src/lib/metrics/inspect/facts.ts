import type { Missing } from '../../judge/index.js';
import type { Matcher } from '../promql/index.js';
import type { Sample } from '../signals/index.js';

/** What a source shows of itself before anything is counted. */
export interface Facts {
  canary: ArmFacts;
  /** null: the source has none, or none is wanted. */
  baseline: ArmFacts | null;
}

export interface ArmFacts {
  /** What selects the arm among the series of its places, placeholders filled in. */
  matchers: readonly Matcher[];
  places: readonly Place[];
  /** Labels of the matchers that no series at all has there; of a Prometheus only. */
  unknownLabels?: readonly string[];
  /** What its Prometheus says of its scrapes (`up`), in words where all of them fail; left out where it says nothing. */
  scraped?: { state: 'up' } | { state: 'down'; words: string };
}

/** A metrics page, or a Prometheus. */
export interface Place {
  /** The same for the same place, and what messages call it: its address without anything secret. */
  id: string;
  kind: 'page' | 'prometheus';
  /** Whether it answered in full; otherwise why not. */
  state: { state: 'ok' } | Missing;
  /** Every metric of a page; of a Prometheus those that series of the arm have. Empty where it did not answer. */
  families: readonly Family[];
  /**
   * Series of the names that the signals ask for, of whichever arm. Where a series stands for several (Prometheus counts
   * them by their labels), it has only the labels that matter.
   */
  samples: readonly Sample[];
  /** When the process of a page began, milliseconds since the epoch, where it says so. */
  startedAt?: number;
}

export type FamilyType = 'counter' | 'gauge' | 'histogram' | 'summary' | 'unknown';

export interface Family {
  /** Of a histogram or summary without `_bucket`, `_sum` and `_count`; of a counter as its samples have it. */
  name: string;
  type: FamilyType;
  /** As declared (`# UNIT`), e.g. `seconds`; null: nothing is. */
  unit: string | null;
  /** What its page says of it in words (`# HELP`), where it does. */
  help?: string;
  /** How many series there are; 0: it is declared, and has not been used. */
  series: number;
  /** Sum of its counts (of a gauge: of its values) over all series. */
  total: number;
}

export interface Finding {
  /** `fatal`: it can never work like this. */
  level: 'fatal' | 'warning' | 'info';
  arm: ArmName | null;
  /** `requests`, `errors`, `drift`, or the name of a histogram; null: of the place as a whole. */
  signal: string | null;
  /** What was found, in one line without the names of arm and signal. */
  words: string;
  /** What to do, where there is something. */
  advice?: string;
  /** Of a fatal one: whether it is so only because something is not there now, and may come. */
  mayAppear?: true;
  /** Of a place that does not answer; a fatal one: nothing does. */
  unanswered?: true;
}

export type ArmName = 'canary' | 'baseline';
