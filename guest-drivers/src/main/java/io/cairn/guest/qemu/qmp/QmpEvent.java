package io.cairn.guest.qemu.qmp;

import com.google.gson.JsonObject;
import java.time.Instant;

/**
 * Something that happened in QEMU.
 *
 * @param name such as {@code STOP} or {@code MIGRATION}
 * @param time by the clock of QEMU's host, to the microsecond; the epoch if QEMU had no clock
 * @param data what the event says; empty if nothing
 */
public record QmpEvent(String name, Instant time, JsonObject data) {}
