#include "engine/clips/sheet_output.h"

#include <algorithm>
#include <cstdint>

#include "core/staged_file.h"
#include "media/clip_reader.h"
#include "media/clip_writer.h"
#include "media/images/contact_sheet.h"
#include "media/png_encoder.h"
#include "t2v/error.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

/// The most frames of one clip on a sheet.
constexpr int64_t kMostFrames = 12;

int64_t count_frames(const fs::path& clip) {
  ClipReader reader(clip);
  int64_t count = 0;
  while (reader.skip()) ++count;
  if (count > 0) return count;
  throw Error(ErrorCode::kInput,
              {.doing = "reading " + clip.string(), .got = "no frame", .expected = "a clip"});
}

/// `count` frame numbers from the first to the last of `total` frames, counted from 0.
std::vector<int64_t> evenly_chosen(int64_t count, int64_t total) {
  std::vector<int64_t> chosen;
  for (int64_t i = 0; i < count; ++i)
    chosen.push_back(count == 1 ? total / 2 : i * (total - 1) / (count - 1));
  return chosen;
}

/// Frames of a clip, labelled with their numbers counted from 1. `numbers`: rising, counted from 0.
std::vector<LabelledPicture> frames_of(const fs::path& clip, const std::vector<int64_t>& numbers,
                                       int64_t side) {
  ClipReader reader(clip);
  std::vector<LabelledPicture> pictures;
  int64_t position = 0;
  for (const int64_t number : numbers) {
    for (; position < number; ++position) reader.skip();
    ++position;
    pictures.push_back({shrunk_to(reader.next().value(), side), std::to_string(number + 1)});
  }
  return pictures;
}

Frames middle_frame(const fs::path& clip, int64_t side) {
  return frames_of(clip, evenly_chosen(1, count_frames(clip)), side).front().picture;
}

std::vector<LabelledPicture> pictures_of(const std::vector<SheetClip>& clips) {
  if (clips.size() == 1) {
    const int64_t total = count_frames(clips[0].clip), shown = std::min(total, kMostFrames);
    return frames_of(clips[0].clip, evenly_chosen(shown, total), sheet_picture_side(shown));
  }
  const int64_t side = sheet_picture_side(static_cast<int64_t>(clips.size()));
  std::vector<LabelledPicture> pictures;
  for (const auto& [clip, label] : clips) {
    pictures.push_back({middle_frame(clip, side), label});
  }
  return pictures;
}

}  // namespace

void write_contact_sheet(const std::vector<SheetClip>& clips, const fs::path& sheet, bool overwrite) {
  const Frames picture = contact_sheet(pictures_of(clips));
  const auto writer = make_clip_writer(
      sheet,
      {.width = picture.width, .height = picture.height, .fps = 1, .frame_count = 1, .overwrite = overwrite});
  writer->write(picture);
  writer->publish();
}

void write_middle_frame(const fs::path& clip, const fs::path& poster) {
  const Frames picture = middle_frame(clip, sheet_picture_side(/*pictures=*/1));
  PngEncoder encoder(picture.width, picture.height, "writing " + poster.string());
  StagedFile staged(poster);
  staged.write(encoder.encode(picture.rgb.data()));
  staged.sync();
  staged.publish(/*overwrite=*/true);
}

}  // namespace t2v
