# find_package(LimpetPlugin): the headers and limpet_add_plugin() of an installed SDK.
get_filename_component(limpet_prefix ${CMAKE_CURRENT_LIST_DIR}/../../.. ABSOLUTE)
if(NOT TARGET limpet_sdk)
  add_library(limpet_sdk INTERFACE IMPORTED)
  target_include_directories(limpet_sdk INTERFACE ${limpet_prefix}/include)
endif()
include(${CMAKE_CURRENT_LIST_DIR}/LimpetPlugin.cmake)
