package io.cairn.checkpoint;

/**
 * One consistent look at a guest.
 *
 * @param guest the guest
 * @param tree its checkpoints
 * @param revision grows with every change of the guest or its tree
 */
public record GuestView(Guest guest, CheckpointTree tree, long revision) {}
