import { readFileSync } from 'node:fs';
import { setInterval } from 'node:timers';

/** Of Linux's `/proc/PID/stat`, whatever the kernel's own tick is. */
const TICKS_PER_SECOND = 100;
const MS_PER_SAMPLE = 200;

/** Processor time that a process and its threads have used, in ms. Linux only. */
export function processorMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The second field is the name, in brackets, and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [user = 0, system = 0] = fields.slice(11, 13).map(Number);
  return ((user + system) / TICKS_PER_SECOND) * 1000;
}

/** Memory that a process holds, in MB (10^6 bytes). Linux only. */
export function residentMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return (Number(/^VmRSS:\s+(\d+) kB$/mu.exec(status)?.[1]) * 1024) / 1e6;
}

/** Looks at the memory of a process until it is stopped, and returns all that it saw. */
export function watchMemory(pid: number): { stop(): readonly number[] } {
  const seen: number[] = [];
  const timer = setInterval(() => seen.push(residentMb(pid)), MS_PER_SAMPLE);
  return {
    stop() {
      clearInterval(timer);
      return seen;
    },
  };
}
