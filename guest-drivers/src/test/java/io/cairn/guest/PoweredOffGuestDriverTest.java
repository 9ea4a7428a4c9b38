package io.cairn.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cairn.checkpoint.GuestDriver;
import java.util.List;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;

final class PoweredOffGuestDriverTest {
  @Test
  void serviceLoader_onTheClassPath_findsAllDrivers() {
    List<String> names =
        ServiceLoader.load(GuestDriver.class).stream().map(p -> p.get().name()).toList();
    assertEquals(List.of(GuestDriver.NONE, "bhyve", "qemu"), names);
  }
}
