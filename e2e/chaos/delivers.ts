import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 200;
const LATE_S = 2;

/** Whether the store catches up with the events that wait; more of them keep coming. */
export async function delivers(
  { url }: { readonly url: string },
  patienceMs = 90_000,
): Promise<boolean> {
  const deadline = Date.now() + patienceMs;
  while (Date.now() < deadline) {
    const metrics = await fetch(`${url}/metrics`).then(
      (response) => response.text(),
      () => '',
    );
    const age = /^metronome_oldest_waiting_seconds (\S+)$/mu.exec(metrics)?.[1];
    if (Number(age) < LATE_S) return true;
    await delay(POLL_MS);
  }
  return false;
}
