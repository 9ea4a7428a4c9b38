package io.cairn.zfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class DatasetNameTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "tank",
        "tank/vm",
        "Tank-1/vm_2/disk.0:a b",
        "tank/vm@before upgrade",
        "tank@s",
        "t/1/-/_/:",
        "mirrored/x",
        "tank/..."
      })
  void parse_allowedName_isKept(String name) {
    assertEquals(name, DatasetName.parse(name).toString());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "''|empty component",
        "/tank|empty component",
        "tank/|empty component",
        "tank//vm|empty component",
        "tank/vm@|empty component",
        "@s|empty component",
        "tank/./vm|not allowed as a component",
        "tank/..|not allowed as a component",
        "tank@..|not allowed as a component",
        "tank/vm@a@b|has a character",
        "tank/vm@a/b|has a character",
        "tank/v%m|has a character",
        "tank/v\u00e4|has a character",
        "tank/a\\b|has a character",
        "1tank|begins with a letter",
        "mirror|reserved word",
        "raidz/vm|reserved word",
        "tank/vm#mark|bookmark"
      })
  void parse_forbiddenName_saysWhy(String name, String reason) {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> DatasetName.parse(name));
    assertTrue(String.valueOf(e.getMessage()).contains(reason), e.getMessage());
  }

  @Test
  void parse_lengthLimit_countsTheSnapshotPart() {
    String longest = "tank/" + "a".repeat(240) + "@" + "b".repeat(9);
    assertEquals(DatasetName.LENGTH_MAX, longest.length());
    assertEquals(longest, DatasetName.parse(longest).toString());
    assertThrows(IllegalArgumentException.class, () -> DatasetName.parse(longest + "b"));
  }

  @Test
  void relatives_ofName_areNames() {
    DatasetName disk = DatasetName.parse("tank/vm/disk");
    assertEquals("tank", disk.pool());
    assertEquals(Optional.of(DatasetName.parse("tank/vm")), disk.parent());
    assertEquals(DatasetName.parse("tank/vm/disk/x"), disk.child("x"));
    assertEquals(DatasetName.parse("tank/vm/disk@s"), disk.at("s"));
    assertTrue(disk.at("s").isSnapshot());
    assertFalse(disk.isSnapshot());
    assertEquals(Optional.of(disk), disk.at("s").parent());
    assertEquals(disk.at("t"), disk.at("s").at("t"));
    assertEquals(Optional.empty(), DatasetName.parse("tank").parent());
  }

  @Test
  void child_badComponentOrSnapshot_isRefused() {
    DatasetName disk = DatasetName.parse("tank/vm");
    assertThrows(IllegalArgumentException.class, () -> disk.child("a@b"));
    assertThrows(IllegalArgumentException.class, () -> disk.child("a/b"));
    assertThrows(IllegalArgumentException.class, () -> disk.child(""));
    assertThrows(IllegalArgumentException.class, () -> disk.at("s").child("x"));
  }
}
