#include "t2v/sheet.h"

#include "api/engine_library.h"
#include "core/setting.h"
#include "media/formats/output_format.h"
#include "t2v/error.h"

namespace t2v {
namespace {

Error sheet_error(const std::filesystem::path& sheet, const std::string& got, const std::string& expected) {
  return Error(ErrorCode::kUsage,
               {.doing = setting("sheet", sheet.string()), .got = got, .expected = expected});
}

}  // namespace

void check_sheet(const std::filesystem::path& sheet, bool overwrite) {
  if (sheet.extension() != ".png") throw sheet_error(sheet, "another name", "one that ends in .png");
  if (SequenceNames(sheet, /*frame_count=*/1).numbered())
    throw sheet_error(sheet, "a pattern for numbers", "a name without one");
  check_file("sheet", sheet, overwrite);
}

void write_sheet(const std::vector<SheetClip>& clips, const std::filesystem::path& sheet, bool overwrite) {
  check_sheet(sheet, overwrite);
  if (clips.empty()) throw sheet_error(sheet, "no clip", "at least one");
  engine().clips.write_sheet(clips, sheet, overwrite);
}

void write_poster(const std::filesystem::path& clip, const std::filesystem::path& poster) {
  engine().clips.write_poster(clip, poster);
}

}  // namespace t2v
