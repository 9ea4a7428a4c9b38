package io.cairn.checkpoint;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.time.Duration;
import java.util.Collections;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A checkpoint to create.
 *
 * @param guest the guest's name
 * @param name its name; empty for the time of creation as {@code YYYYMMDDTHHMMSSZ}
 * @param description free text
 * @param tags free keys and values
 * @param pinned whether it is protected from deletion
 * @param reuse whether a checkpoint that has the name already is deleted when the new one exists
 * @param live what to do about a guest that runs
 */
public record CreateRequest(
    String guest,
    Optional<String> name,
    String description,
    SortedMap<String, String> tags,
    boolean pinned,
    boolean reuse,
    Live live) {
  /** Copies the tags. */
  public CreateRequest {
    tags = Collections.unmodifiableSortedMap(new TreeMap<>(tags));
  }

  /**
   * What to do about a guest that runs; for one that is powered off it means nothing.
   *
   * @param diskOnly whether its memory is left out
   * @param quiesce whether the system within is asked to put its file systems in order first
   * @param powerOff whether the guest is ended when the checkpoint exists
   * @param maxPause how long the guest may be expected not to run; longer is refused beforehand
   * @param method how its memory is saved, in a word of its driver's; empty for the shortest pause
   *     that is safe
   */
  public record Live(
      boolean diskOnly,
      boolean quiesce,
      boolean powerOff,
      Optional<Duration> maxPause,
      Optional<String> method) {
    /** Memory and disks, the quickest way, and the guest runs on. */
    public static final Live USUAL =
        new Live(false, false, false, Optional.empty(), Optional.empty());
  }

  /** Begins a request. */
  public static Builder builder(String guest) {
    return new Builder(guest);
  }

  /** Collects a request. */
  public static final class Builder {
    private final String guest;
    private Optional<String> name = Optional.empty();
    private String description = "";
    private final SortedMap<String, String> tags = new TreeMap<>();
    private boolean pinned;
    private boolean reuse;
    private Live live = Live.USUAL;

    private Builder(String guest) {
      this.guest = guest;
    }

    /** Names the checkpoint. */
    @CanIgnoreReturnValue
    public Builder name(String newName) {
      name = Optional.of(newName);
      return this;
    }

    /** Describes the checkpoint. */
    @CanIgnoreReturnValue
    public Builder description(String text) {
      description = text;
      return this;
    }

    /** Adds a tag. */
    @CanIgnoreReturnValue
    public Builder tag(String key, String value) {
      tags.put(key, value);
      return this;
    }

    /** Protects the checkpoint from deletion. */
    @CanIgnoreReturnValue
    public Builder pinned(boolean value) {
      pinned = value;
      return this;
    }

    /** Deletes the checkpoint that has the name already, once the new one exists. */
    @CanIgnoreReturnValue
    public Builder reuse(boolean value) {
      reuse = value;
      return this;
    }

    /** Says what to do about a guest that runs. */
    @CanIgnoreReturnValue
    public Builder live(Live value) {
      live = value;
      return this;
    }

    /** The request. */
    public CreateRequest build() {
      return new CreateRequest(guest, name, description, tags, pinned, reuse, live);
    }
  }
}
