# find_package(t2v) gives the target t2v::t2v: the headers of include/t2v and libt2v.so.
get_filename_component(T2V_PREFIX "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
if(NOT TARGET t2v::t2v)
  add_library(t2v::core SHARED IMPORTED)
  set_target_properties(t2v::core PROPERTIES IMPORTED_LOCATION "${T2V_PREFIX}/lib/t2v/libt2v_core.so")
  add_library(t2v::t2v SHARED IMPORTED)
  set_target_properties(t2v::t2v PROPERTIES
    IMPORTED_LOCATION "${T2V_PREFIX}/lib/t2v/libt2v.so"
    INTERFACE_INCLUDE_DIRECTORIES "${T2V_PREFIX}/include"
    INTERFACE_COMPILE_FEATURES cxx_std_20
    INTERFACE_LINK_LIBRARIES t2v::core)
endif()
