//! Temporal: workflows, the contracts of their activities, client and worker set-up.
