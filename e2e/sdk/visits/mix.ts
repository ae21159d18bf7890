/**
 * What happens to visits, fixed before anything is measured. Shares are of 1; a pair is a range of
 * which each value is as likely.
 */
export const MIX = {
  /**
   * A second of a visit stands for so many: the waits of the SDK (batches, back-off, patience) are
   * that much shorter, so a visit of 6 s is one of a minute.
   */
  haste: 10,

  /** Of the visits. */
  engines: { chromium: 0.7, firefox: 0.25, webkit: 0.05 },
  /** Of the visitors, after each visit up to the last that is allowed. */
  returns: 0.7,
  visitsMax: 5,
  absenceMs: [200, 1_500],

  visitMs: [2_000, 10_000],
  /** Events of the application, views, downloads and errors, at any moment of a visit. */
  actions: [3, 15],
  /** Visits whose last action is in the same task as their end. */
  hastyEnds: 0.5,
  /** Ends by the tab's being closed; the others leave for another page. */
  closes: 0.5,
  /** Visits with a second tab of the same site for a while. */
  secondTabs: 0.05,

  /** Visits with more at once than the 64 KiB that a page may leave behind. */
  bursts: 0.03,
  burst: { events: 30, bytes: 3_000 },
  /** Visits with more at once than the SDK keeps for later; of visitors who come back. */
  floods: 0.01,
  flood: { events: 40, bytes: 12_000 },

  /** Of all visits, at any moment, without any handler of the page running. */
  tabsKilled: 0.02,
  /** Where the driver can kill a tab and nothing else. */
  killable: 'chromium',

  /** Of all answers. */
  answers503: 0.1,
  /** Of all requests: stored, but the answer is lost. */
  answersLost: 0.02,
  /** Of each visitor's time: nothing reaches the collector. */
  timeOffline: 0.05,
  offlineMeanMs: 3_000,
  /** The collector is killed that often, and started again after so long. */
  outageEveryMeanMs: 60_000,
  outageMs: [500, 3_000],
} as const;
