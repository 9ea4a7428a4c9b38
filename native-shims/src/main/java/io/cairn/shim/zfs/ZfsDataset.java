package io.cairn.shim.zfs;

import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A filesystem, volume or snapshot with its properties as they were when it was looked at.
 *
 * @param name the full name
 * @param type what it is
 * @param properties each native property as {@code {value, source}}, as libzfs gives them
 */
public record ZfsDataset(String name, Type type, Nvlist properties) {
  /** What a dataset is. */
  public enum Type {
    /** Files below a mount point. */
    FILESYSTEM,
    /** A block device. */
    VOLUME,
    /** A frozen filesystem or volume. */
    SNAPSHOT
  }

  /** A number, 0 if the dataset has no such property; GUIDs are unsigned. */
  public long number(String property) {
    return entry(property).flatMap(entry -> entry.number("value")).orElse(0L);
  }

  /** Whether the dataset has the property at all. */
  public boolean has(String property) {
    return entry(property).isPresent();
  }

  /** A text, whoever set it. */
  public Optional<String> text(String property) {
    return entry(property).flatMap(entry -> entry.text("value")).filter(text -> !text.isEmpty());
  }

  /**
   * A text that was set on this very dataset or snapshot. Snapshots inherit user properties from
   * their dataset, which says nothing of them.
   */
  public Optional<String> localText(String property) {
    return local(property).flatMap(entry -> entry.text("value"));
  }

  /** A number that was set on this very dataset. */
  public Optional<Long> localNumber(String property) {
    return local(property).flatMap(entry -> entry.number("value"));
  }

  private Optional<Nvlist> local(String property) {
    return entry(property).filter(e -> e.text("source").filter(name::equals).isPresent());
  }

  /** The name of the dataset that a property was set on; empty if it has its default. */
  public Optional<String> source(String property) {
    return entry(property).flatMap(entry -> entry.text("source")).filter(text -> !text.isEmpty());
  }

  /** The datasets that continue from this snapshot. */
  public Set<String> clones() {
    return entry("clones")
        .flatMap(entry -> entry.list("value"))
        .map(list -> list.values().keySet())
        .orElse(Set.of());
  }

  /** The snapshot this dataset continues from, if it is a clone. */
  public Optional<String> origin() {
    return text("origin");
  }

  /** Its identity, which it keeps when it is renamed, promoted or sent. */
  public String guid() {
    return Long.toUnsignedString(number("guid"));
  }

  /** The transaction group that made it; orders the snapshots of a pool. */
  public long createTxg() {
    return number("createtxg");
  }

  /** The part of the name after the {@code @}; the whole name of a dataset. */
  public String shortName() {
    return name.substring(name.indexOf('@') + 1);
  }

  /** The dataset's own name; for a snapshot the part before the {@code @}. */
  public String datasetName() {
    int at = name.indexOf('@');
    return at < 0 ? name : name.substring(0, at);
  }

  /** All properties set on this very dataset, user and native ones. */
  public Map<String, Nvlist> localProperties() {
    return properties.values().keySet().stream()
        .filter(property -> local(property).isPresent())
        .collect(
            Collectors.toMap(
                property -> property, property -> local(property).orElse(Nvlist.EMPTY)));
  }

  private Optional<Nvlist> entry(String property) {
    return properties.list(property);
  }
}
