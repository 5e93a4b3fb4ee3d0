import {
  IconAlertTriangle,
  IconBan,
  IconCircleCheck,
  IconCircleDashed,
  IconCircleDot,
  IconClockExclamation,
  IconHourglass,
  IconLock,
  IconPlayerPlay,
  IconSend,
  type TablerIcon,
} from '@tabler/icons-react';

/** The six meanings a colour can have (tokens.css). */
export type Tone = 'on-track' | 'at-risk' | 'overdue' | 'blocked' | 'waiting' | 'done';
export type Look = { word: string; tone: Tone; icon: TablerIcon };

export const jobStatuses = [
  'overdue',
  'at_risk',
  'blocked',
  'waiting_for_client',
  'on_track',
  'done',
  'cancelled',
] as const;

const looks: Record<string, Look> = {
  // jobs
  on_track: { word: 'On track', tone: 'on-track', icon: IconCircleDot },
  at_risk: { word: 'At risk', tone: 'at-risk', icon: IconAlertTriangle },
  overdue: { word: 'Overdue', tone: 'overdue', icon: IconClockExclamation },
  blocked: { word: 'Blocked', tone: 'blocked', icon: IconLock },
  waiting_for_client: { word: 'Waiting for client', tone: 'waiting', icon: IconHourglass },
  done: { word: 'Done', tone: 'done', icon: IconCircleCheck },
  cancelled: { word: 'Cancelled', tone: 'done', icon: IconBan },
  // tasks
  not_started: { word: 'Not started', tone: 'done', icon: IconCircleDashed },
  in_progress: { word: 'In progress', tone: 'on-track', icon: IconPlayerPlay },
  skipped: { word: 'Skipped', tone: 'done', icon: IconBan },
  // requests and their items
  draft: { word: 'Draft', tone: 'done', icon: IconCircleDashed },
  scheduled: { word: 'Scheduled', tone: 'done', icon: IconCircleDashed },
  sent: { word: 'Sent', tone: 'waiting', icon: IconSend },
  viewed: { word: 'Viewed', tone: 'waiting', icon: IconHourglass },
  partly_answered: { word: 'Partly answered', tone: 'waiting', icon: IconHourglass },
  submitted: { word: 'Submitted', tone: 'at-risk', icon: IconCircleDot },
  accepted: { word: 'Accepted', tone: 'on-track', icon: IconCircleCheck },
  returned: { word: 'Returned', tone: 'at-risk', icon: IconAlertTriangle },
  waived: { word: 'Waived', tone: 'done', icon: IconBan },
  expired: { word: 'Expired', tone: 'overdue', icon: IconClockExclamation },
  open: { word: 'Open', tone: 'waiting', icon: IconCircleDot },
  answered: { word: 'Answered', tone: 'on-track', icon: IconCircleCheck },
  not_applicable: { word: 'Not applicable', tone: 'done', icon: IconBan },
  not_available: { word: 'Not available', tone: 'at-risk', icon: IconAlertTriangle },
  // time entries
  approved: { word: 'Approved', tone: 'on-track', icon: IconCircleCheck },
  billed: { word: 'Billed', tone: 'done', icon: IconCircleCheck },
  written_off: { word: 'Written off', tone: 'done', icon: IconBan },
  // invoices
  issuing: { word: 'Issuing', tone: 'waiting', icon: IconHourglass },
  part_paid: { word: 'Part paid', tone: 'at-risk', icon: IconCircleDot },
  paid: { word: 'Paid', tone: 'on-track', icon: IconCircleCheck },
  credited: { word: 'Credited', tone: 'done', icon: IconBan },
  void: { word: 'Void', tone: 'done', icon: IconBan },
  // clients, engagements, templates
  prospect: { word: 'Prospect', tone: 'waiting', icon: IconCircleDashed },
  active: { word: 'Active', tone: 'on-track', icon: IconCircleDot },
  former: { word: 'Former', tone: 'done', icon: IconBan },
  closed: { word: 'Closed', tone: 'done', icon: IconCircleCheck },
  published: { word: 'Published', tone: 'on-track', icon: IconCircleCheck },
  archived: { word: 'Archived', tone: 'done', icon: IconBan },
  // documents
  pending: { word: 'Being checked', tone: 'waiting', icon: IconHourglass },
  stored: { word: 'Stored', tone: 'on-track', icon: IconCircleCheck },
  refused: { word: 'Refused', tone: 'overdue', icon: IconAlertTriangle },
  deleted: { word: 'Deleted', tone: 'done', icon: IconBan },
};

/** How a status looks; one that is new to this screen shows its own word. */
export function lookOf(status: string): Look {
  return looks[status] ?? { word: sentence(status), tone: 'done', icon: IconCircleDot };
}

export const sentence = (code: string): string => {
  const words = code.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
};
