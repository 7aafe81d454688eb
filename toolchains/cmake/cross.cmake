# What the ARM toolchains share; each sets LIMPET_TRIPLE, LIMPET_QEMU and LIMPET_SYSROOT_NAME first.
# LIMPET_SYSROOT in the environment names a sysroot elsewhere (a vendor's SDK).
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_C_COMPILER ${LIMPET_TRIPLE}-gcc)
set(CMAKE_CXX_COMPILER ${LIMPET_TRIPLE}-g++)

if(DEFINED ENV{LIMPET_SYSROOT})
  set(CMAKE_SYSROOT $ENV{LIMPET_SYSROOT})
else()
  get_filename_component(CMAKE_SYSROOT
                         ${CMAKE_CURRENT_LIST_DIR}/../../build/${LIMPET_SYSROOT_NAME} ABSOLUTE)
endif()
if(NOT EXISTS ${CMAKE_SYSROOT}/usr)
  message(FATAL_ERROR "No sysroot at ${CMAKE_SYSROOT}: run ./dev cross, or set LIMPET_SYSROOT")
endif()

# find_library and find_package look into the multiarch folders by this name.
set(CMAKE_LIBRARY_ARCHITECTURE ${LIMPET_TRIPLE})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(ENV{PKG_CONFIG_DIR} "")
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${CMAKE_SYSROOT})
set(ENV{PKG_CONFIG_LIBDIR}
    ${CMAKE_SYSROOT}/usr/lib/${LIMPET_TRIPLE}/pkgconfig:${CMAKE_SYSROOT}/usr/share/pkgconfig)

# Tests run under the emulator, with the sysroot's loader and libraries.
set(CMAKE_CROSSCOMPILING_EMULATOR ${LIMPET_QEMU} -L ${CMAKE_SYSROOT})
