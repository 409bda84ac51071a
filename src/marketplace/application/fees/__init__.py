"""Fee schedules as data: adding versions, knowing the one in force, and trying out what a sale would bring."""
