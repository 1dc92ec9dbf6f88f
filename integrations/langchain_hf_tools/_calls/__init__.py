"""What goes out in many requests: batches, order, concurrency, progress; and the one loop over a task's fields."""
