import type { InvoiceStatus } from './api';

export const invoiceStatuses: InvoiceStatus[] = ['draft', 'open', 'overdue', 'part_paid', 'paid', 'void'];
